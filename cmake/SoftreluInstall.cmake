# Components: shared (the library that programs load), static (the archive), tools (the program), python (the package over the
# shared library), dev (header, the name that -lsoftrelu finds, CMake and pkg-config files). To build against either library takes
# dev and that library. Where there is MPI: mpi (the library softrelu_mpi), mpi-dev (its archive and what dev has of the others),
# mpi-tools (the program softrelu-mpi).
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/softrelu)
# Two export sets: users of the shared library must not need what only the static one links.
# INCLUDES DESTINATION: CMake before 3.23 takes no include directory from a file set.
install(TARGETS softrelu EXPORT softrelu_shared_targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT shared NAMELINK_COMPONENT dev
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
    FILE_SET cxx_headers DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS softrelu_static EXPORT softrelu_static_targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT static
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
    FILE_SET cxx_headers DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT softrelu_shared_targets NAMESPACE softrelu:: FILE softreluSharedTargets.cmake DESTINATION ${package_dir} COMPONENT dev)
install(EXPORT softrelu_static_targets NAMESPACE softrelu:: FILE softreluStaticTargets.cmake DESTINATION ${package_dir} COMPONENT dev)

set(mpi_libraries "")
if(TARGET softrelu_mpi)
    install(TARGETS softrelu_mpi EXPORT softrelu_mpi_targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT mpi NAMELINK_COMPONENT mpi-dev
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT mpi-dev
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(TARGETS softrelu_mpi_static EXPORT softrelu_mpi_static_targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT mpi-dev
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT mpi-dev
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(EXPORT softrelu_mpi_targets NAMESPACE softrelu:: FILE softreluMpiTargets.cmake DESTINATION ${package_dir} COMPONENT mpi-dev)
    install(EXPORT softrelu_mpi_static_targets NAMESPACE softrelu:: FILE softreluMpiStaticTargets.cmake DESTINATION ${package_dir}
        COMPONENT mpi-dev)
    foreach(library IN LISTS MPI_C_LIBRARIES) # tell the implementations apart
        cmake_path(GET library STEM name)
        list(APPEND mpi_libraries ${name})
    endforeach()
endif()

set(shared_name ${CMAKE_SHARED_LIBRARY_PREFIX}softrelu${CMAKE_SHARED_LIBRARY_SUFFIX}.${PROJECT_VERSION})
set(static_name ${CMAKE_STATIC_LIBRARY_PREFIX}softrelu${CMAKE_STATIC_LIBRARY_SUFFIX})
string(REPLACE softrelu softrelu_mpi mpi_shared_name ${shared_name})
string(REPLACE softrelu softrelu_mpi mpi_static_name ${static_name})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/softreluConfig.cmake.in ${PROJECT_BINARY_DIR}/softreluConfig.cmake
    INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_LIBDIR NO_SET_AND_CHECK_MACRO)
# While 0.x, every minor release may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/softreluConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/softreluConfig.cmake ${PROJECT_BINARY_DIR}/softreluConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/FindLAPACKE.cmake DESTINATION ${package_dir} COMPONENT dev)

# pkg-config: the link line of the static library, BLAS included, belongs in Libs.private.
function(softrelu_link_line line)
    set(flags "")
    foreach(library IN LISTS ARGN)
        cmake_path(GET library PARENT_PATH directory)
        if(library MATCHES "/lib([^/]+)\\.(so|a)$" AND directory IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
            set(library "-l${CMAKE_MATCH_1}")
        endif()
        list(APPEND flags ${library})
    endforeach()
    list(REMOVE_DUPLICATES flags)
    list(JOIN flags " " flags)
    set(${line} "${flags}" PARENT_SCOPE)
endfunction()
softrelu_link_line(pc_private ${LAPACKE_LIBRARY} ${LAPACK_LIBRARIES} ${BLAS_LIBRARIES})
foreach(kind IN ITEMS LIB INCLUDE) # under the prefix, unless they were given whole
    set(pc_${kind}DIR "\${prefix}")
    cmake_path(APPEND pc_${kind}DIR ${CMAKE_INSTALL_${kind}DIR})
endforeach()
# The prefix is known when it is installed: cmake --install may name another.
set(prefix "@prefix@")
function(softrelu_install_pc name component)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc.in @ONLY)
    install(CODE "set(prefix \"\${CMAKE_INSTALL_PREFIX}\")
configure_file(\"${PROJECT_BINARY_DIR}/${name}.pc.in\" \"${PROJECT_BINARY_DIR}/${name}.pc\" @ONLY)" COMPONENT ${component})
    install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT ${component})
endfunction()
softrelu_install_pc(softrelu dev)
if(TARGET softrelu_mpi)
    set(pc_mpi_cflags ${MPI_C_COMPILE_OPTIONS})
    foreach(directory IN LISTS MPI_C_INCLUDE_DIRS)
        list(APPEND pc_mpi_cflags -I${directory})
    endforeach()
    list(JOIN pc_mpi_cflags " " pc_mpi_cflags)
    softrelu_link_line(pc_mpi_libs ${MPI_C_LINK_FLAGS} ${MPI_C_LIBRARIES})
    softrelu_install_pc(softrelu_mpi mpi-dev)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT license)

if(TARGET softrelu_program)
    install(TARGETS softrelu_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
    install(FILES ${PROJECT_SOURCE_DIR}/completions/softrelu DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions
        COMPONENT tools)
    set(programs softrelu_program)
    if(TARGET softrelu_mpi_program)
        install(TARGETS softrelu_mpi_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT mpi-tools)
        list(APPEND programs softrelu_mpi_program)
    endif()
    # The program finds its library wherever the tree is moved to; where the system finds it, it needs no help.
    if(NOT CMAKE_INSTALL_FULL_LIBDIR IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
        file(RELATIVE_PATH lib_from_bin ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
        set_target_properties(${programs} PROPERTIES INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
    endif()
endif()

# The Python package, where the interpreter of this prefix looks: Debian's own, in /usr, has one place for all its versions, and the
# one in /usr/local another name than elsewhere; a virtual environment is a prefix, too.
set(python_dir "")
if(EXISTS /etc/debian_version AND CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    set(python_dir lib/python3/dist-packages)
elseif(SOFTRELU_PYTHON)
    execute_process(COMMAND ${SOFTRELU_PYTHON} -c "import sys; print('python%d.%d' % sys.version_info[:2], end='')"
        OUTPUT_VARIABLE python_version COMMAND_ERROR_IS_FATAL ANY)
    set(python_dir lib/${python_version}/site-packages)
    if(EXISTS /etc/debian_version AND CMAKE_INSTALL_PREFIX STREQUAL "/usr/local")
        set(python_dir lib/${python_version}/dist-packages)
    endif()
endif()
set(SOFTRELU_INSTALL_PYTHONDIR "${python_dir}" CACHE STRING "Where the Python package goes, under the prefix; empty: nowhere")
if(SOFTRELU_INSTALL_PYTHONDIR)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/python/softrelu DESTINATION ${SOFTRELU_INSTALL_PYTHONDIR} COMPONENT python
        FILES_MATCHING PATTERN "*.py" PATTERN "py.typed" PATTERN "__pycache__" EXCLUDE)
    # What pip and importlib.metadata know it by. There is no RECORD: pip must not remove what it did not install.
    file(STRINGS ${PROJECT_SOURCE_DIR}/python/pyproject.toml python_needs REGEX "^(requires-python|dependencies) =")
    string(REGEX MATCH "requires-python = \"([^\"]+)\"" matched "${python_needs}")
    set(python_least ${CMAKE_MATCH_1})
    string(REGEX MATCH "dependencies = ..([^\"]+)\"" matched "${python_needs}")
    set(python_numpy ${CMAKE_MATCH_1})
    file(CONFIGURE OUTPUT python/METADATA @ONLY CONTENT [[Metadata-Version: 2.1
Name: softrelu
Version: @PROJECT_VERSION@
Summary: @PROJECT_DESCRIPTION@
License: BSD-3-Clause
Requires-Python: @python_least@
Requires-Dist: @python_numpy@
]])
    install(FILES ${PROJECT_BINARY_DIR}/python/METADATA DESTINATION ${SOFTRELU_INSTALL_PYTHONDIR}/softrelu-${PROJECT_VERSION}.dist-info
        COMPONENT python)
    # Like the program: it finds its library wherever the tree is moved to; where the system finds it, it needs no help.
    if(NOT CMAKE_INSTALL_FULL_LIBDIR IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
        cmake_path(ABSOLUTE_PATH SOFTRELU_INSTALL_PYTHONDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE python_full_dir)
        file(RELATIVE_PATH library_from_python ${python_full_dir}/softrelu ${CMAKE_INSTALL_FULL_LIBDIR}/libsoftrelu.so.${header_ABI_VERSION})
        file(CONFIGURE OUTPUT python/_place.py @ONLY CONTENT [["""Where this installation has the library, seen from here."""
LIBRARY = "@library_from_python@"
]])
        install(FILES ${PROJECT_BINARY_DIR}/python/_place.py DESTINATION ${SOFTRELU_INSTALL_PYTHONDIR}/softrelu COMPONENT python)
    endif()
endif()
