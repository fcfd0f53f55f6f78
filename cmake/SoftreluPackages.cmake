# Debian packages: `cmake --workflow --preset deb` leaves libsoftrelu0, libsoftrelu-dev, softrelu-tools, python3-softrelu,
# libsoftrelu-mpi0, libsoftrelu-mpi-dev and softrelu-mpi in build/deb. They go to /usr, where Debian's own file names apply, so they are made of a
# build that was configured for it.
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    return()
endif()
set(CPACK_PACKAGE_CONTACT "the libsoftrelu developers <libsoftrelu@example.org>" CACHE STRING "Maintainer of the Debian packages")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME softrelu)
set(CPACK_PACKAGE_VENDOR "the libsoftrelu developers")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON) # files that name the prefix must name /usr, not the place where the package is put together
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/src ${PROJECT_BINARY_DIR}/mpi) # where programs find the libraries before they are installed
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")

# One package for each group of components.
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_COMPONENTS_ALL "")
set(shared_package libsoftrelu${header_ABI_VERSION})
set(dev_package libsoftrelu-dev)
set(tools_package softrelu-tools)
set(python_package python3-softrelu)
set(mpi_package libsoftrelu-mpi${header_ABI_VERSION})
set(mpi_dev_package libsoftrelu-mpi-dev)
set(mpi_tools_package softrelu-mpi)
set(shared_components shared)
set(dev_components dev static)
set(tools_components tools)
set(python_components python)
set(mpi_components mpi)
set(mpi_dev_components mpi-dev)
set(mpi_tools_components mpi-tools)
set(groups shared dev python)
if(TARGET softrelu_program)
    list(APPEND groups tools)
endif()
if(TARGET softrelu_mpi)
    list(APPEND groups mpi mpi_dev)
endif()
if(TARGET softrelu_mpi_program)
    list(APPEND groups mpi_tools)
endif()
foreach(group IN LISTS groups)
    # What Debian wants to know of every package: whose it is, and what changed.
    set(doc_dir ${CMAKE_INSTALL_DATAROOTDIR}/doc/${${group}_package})
    install(FILES ${PROJECT_BINARY_DIR}/debian/copyright ${PROJECT_BINARY_DIR}/debian/changelog.gz DESTINATION ${doc_dir}
        COMPONENT ${group}_doc EXCLUDE_FROM_ALL)
    foreach(component IN LISTS ${group}_components ITEMS ${group}_doc)
        string(TOUPPER ${component} upper)
        set(CPACK_COMPONENT_${upper}_GROUP ${group}_package)
        list(APPEND CPACK_COMPONENTS_ALL ${component})
    endforeach()
    string(TOUPPER ${group}_package upper)
    set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${${group}_package})
endforeach()

set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "softmax ReLU regression with certificates")
set(about "libsoftrelu finds the input for which a two-layer network, ReLU and then\nsoftmax, gives a wanted output distribution. Its Newton method knows the\nkinks of ReLU, and every result comes with a certificate of what it is.\n\nThis package holds")
set(CPACK_DEBIAN_SHARED_PACKAGE_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_SHARED_PACKAGE_PACKAGE_RECOMMENDS libopenblas0) # any BLAS will do, this one is fast
set(CPACK_DEBIAN_SHARED_PACKAGE_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/triggers)
set(CPACK_DEBIAN_SHARED_PACKAGE_DESCRIPTION "${about} the shared library.")
set(CPACK_DEBIAN_DEV_PACKAGE_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_PACKAGE_DEPENDS
    "${shared_package} (= ${PROJECT_VERSION}), liblapacke-dev, liblapack-dev | liblapack.so, libblas-dev | libblas.so")
set(CPACK_DEBIAN_DEV_PACKAGE_DESCRIPTION "${about} the header, the static library, and what\nCMake and pkg-config need.")
set(CPACK_DEBIAN_TOOLS_PACKAGE_PACKAGE_SECTION math)
set(CPACK_DEBIAN_TOOLS_PACKAGE_PACKAGE_DEPENDS "${shared_package} (>= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_TOOLS_PACKAGE_DESCRIPTION "${about} the program softrelu.")
# One package for all processors: ctypes finds the library by the name that all of them give it. An ABI number promises that what
# works with a release works with those after it, so any later library will do.
set(CPACK_DEBIAN_PYTHON_PACKAGE_PACKAGE_SECTION python)
set(CPACK_DEBIAN_PYTHON_PACKAGE_PACKAGE_ARCHITECTURE all)
string(REGEX REPLACE "^>=" "" python_least_version ${python_least})
string(REGEX REPLACE "^numpy>=" "" numpy_least_version ${python_numpy})
set(CPACK_DEBIAN_PYTHON_PACKAGE_PACKAGE_DEPENDS "python3:any (>= ${python_least_version}), python3-numpy (>= 1:${numpy_least_version}), ${shared_package} (>= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_PYTHON_PACKAGE_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/postinst ${PROJECT_BINARY_DIR}/debian/prerm)
set(CPACK_DEBIAN_PYTHON_PACKAGE_DESCRIPTION "${about} the Python package, over NumPy arrays.")
# As Debian's dh_python3 does it: compiled where it is installed, by the interpreters that are there, and nothing left behind.
file(WRITE ${PROJECT_BINARY_DIR}/debian/postinst "#!/bin/sh\nset -e\npy3compile -p ${python_package}\n")
file(WRITE ${PROJECT_BINARY_DIR}/debian/prerm "#!/bin/sh\nset -e\npy3clean -p ${python_package}\n")
set(CPACK_DEBIAN_MPI_PACKAGE_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_MPI_PACKAGE_PACKAGE_DEPENDS "${shared_package} (>= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_MPI_PACKAGE_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/triggers)
set(CPACK_DEBIAN_MPI_PACKAGE_DESCRIPTION "${about} the shared library that divides problems among processes of MPI.")
set(CPACK_DEBIAN_MPI_TOOLS_PACKAGE_PACKAGE_SECTION math)
set(CPACK_DEBIAN_MPI_TOOLS_PACKAGE_PACKAGE_DEPENDS "${mpi_package} (>= ${PROJECT_VERSION}), ${shared_package} (>= ${PROJECT_VERSION}), openmpi-bin")
set(CPACK_DEBIAN_MPI_TOOLS_PACKAGE_DESCRIPTION "${about} the program softrelu-mpi, for mpirun.")
set(CPACK_DEBIAN_MPI_DEV_PACKAGE_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_MPI_DEV_PACKAGE_PACKAGE_DEPENDS # the MPI that Debian builds with
    "${mpi_package} (= ${PROJECT_VERSION}), ${dev_package} (= ${PROJECT_VERSION}), libopenmpi-dev")
set(CPACK_DEBIAN_MPI_DEV_PACKAGE_DESCRIPTION "${about} the header and the static library for processes of MPI, and\nwhat pkg-config needs.")

file(WRITE ${PROJECT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # of SOURCE_DATE_EPOCH, where that is set
file(READ ${PROJECT_SOURCE_DIR}/LICENSE license)
string(REGEX REPLACE "\n\n" "\n.\n" license "${license}")
string(REGEX REPLACE "\n" "\n " license "${license}")
file(CONFIGURE OUTPUT debian/copyright @ONLY CONTENT [[Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: libsoftrelu

Files: *
Copyright: 2026 the libsoftrelu developers
License: BSD-3-Clause
 @license@
]])
file(CONFIGURE OUTPUT debian/changelog @ONLY CONTENT [[softrelu (@PROJECT_VERSION@) unstable; urgency=medium

  * Release @PROJECT_VERSION@.

 -- @CPACK_PACKAGE_CONTACT@  @date@
]])
find_program(SOFTRELU_GZIP gzip REQUIRED)
mark_as_advanced(SOFTRELU_GZIP)
execute_process(COMMAND ${SOFTRELU_GZIP} -9nc ${PROJECT_BINARY_DIR}/debian/changelog OUTPUT_FILE ${PROJECT_BINARY_DIR}/debian/changelog.gz
    COMMAND_ERROR_IS_FATAL ANY)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/deb-without-umask.cmake)
set(CPACK_POST_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/deb-without-umask.cmake)
include(CPack)
