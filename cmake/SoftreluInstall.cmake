# Components: shared (the library that programs load), static (the archive), tools (the program), dev (header, the name that
# -lsoftrelu finds, CMake and pkg-config files). To build against either library takes dev and that library.
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

set(shared_name ${CMAKE_SHARED_LIBRARY_PREFIX}softrelu${CMAKE_SHARED_LIBRARY_SUFFIX}.${PROJECT_VERSION})
set(static_name ${CMAKE_STATIC_LIBRARY_PREFIX}softrelu${CMAKE_STATIC_LIBRARY_SUFFIX})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/softreluConfig.cmake.in ${PROJECT_BINARY_DIR}/softreluConfig.cmake
    INSTALL_DESTINATION ${package_dir} PATH_VARS CMAKE_INSTALL_LIBDIR NO_SET_AND_CHECK_MACRO)
# While 0.x, every minor release may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/softreluConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/softreluConfig.cmake ${PROJECT_BINARY_DIR}/softreluConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/FindLAPACKE.cmake DESTINATION ${package_dir} COMPONENT dev)

# pkg-config: the link line of the static library, BLAS included, belongs in Libs.private.
set(pc_private "")
foreach(library IN LISTS LAPACKE_LIBRARY LAPACK_LIBRARIES BLAS_LIBRARIES)
    cmake_path(GET library PARENT_PATH directory)
    if(library MATCHES "/lib([^/]+)\\.(so|a)$" AND directory IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
        set(library "-l${CMAKE_MATCH_1}")
    endif()
    list(APPEND pc_private ${library})
endforeach()
list(REMOVE_DUPLICATES pc_private)
list(JOIN pc_private " " pc_private)
foreach(kind IN ITEMS LIB INCLUDE) # under the prefix, unless they were given whole
    set(pc_${kind}DIR "\${prefix}")
    cmake_path(APPEND pc_${kind}DIR ${CMAKE_INSTALL_${kind}DIR})
endforeach()
# The prefix is known when it is installed: cmake --install may name another.
set(prefix "@prefix@")
configure_file(${PROJECT_SOURCE_DIR}/cmake/softrelu.pc.in ${PROJECT_BINARY_DIR}/softrelu.pc.in @ONLY)
install(CODE "set(prefix \"\${CMAKE_INSTALL_PREFIX}\")
configure_file(\"${PROJECT_BINARY_DIR}/softrelu.pc.in\" \"${PROJECT_BINARY_DIR}/softrelu.pc\" @ONLY)" COMPONENT dev)
install(FILES ${PROJECT_BINARY_DIR}/softrelu.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT license)

if(TARGET softrelu_program)
    install(TARGETS softrelu_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
    install(FILES ${PROJECT_SOURCE_DIR}/completions/softrelu DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions
        COMPONENT tools)
    set(programs softrelu_program)
    if(TARGET softrelu_mpi_program)
        install(TARGETS softrelu_mpi_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT mpi)
        list(APPEND programs softrelu_mpi_program)
    endif()
    # The program finds its library wherever the tree is moved to; where the system finds it, it needs no help.
    if(NOT CMAKE_INSTALL_FULL_LIBDIR IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
        file(RELATIVE_PATH lib_from_bin ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
        set_target_properties(${programs} PROPERTIES INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
    endif()
endif()
