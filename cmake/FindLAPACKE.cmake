# LAPACKE, the C interface to LAPACK: a library of its own on Debian, part of LAPACK in other builds of OpenBLAS.
# Defines LAPACKE::LAPACKE. LAPACK must have been found before.
include(CheckFunctionExists)
include(FindPackageHandleStandardArgs)

find_path(LAPACKE_INCLUDE_DIR lapacke.h PATH_SUFFIXES lapacke openblas)
find_library(LAPACKE_LIBRARY lapacke)
if(NOT LAPACKE_LIBRARY AND LAPACK_FOUND)
    set(CMAKE_REQUIRED_LIBRARIES ${LAPACK_LIBRARIES})
    check_function_exists(LAPACKE_dpotrf LAPACK_CONTAINS_LAPACKE)
    unset(CMAKE_REQUIRED_LIBRARIES)
    if(LAPACK_CONTAINS_LAPACKE)
        list(GET LAPACK_LIBRARIES 0 LAPACKE_LIBRARY)
    endif()
endif()
find_package_handle_standard_args(LAPACKE REQUIRED_VARS LAPACKE_LIBRARY LAPACKE_INCLUDE_DIR)
mark_as_advanced(LAPACKE_LIBRARY LAPACKE_INCLUDE_DIR)

if(LAPACKE_FOUND AND NOT TARGET LAPACKE::LAPACKE)
    add_library(LAPACKE::LAPACKE UNKNOWN IMPORTED)
    set_target_properties(LAPACKE::LAPACKE PROPERTIES IMPORTED_LOCATION "${LAPACKE_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${LAPACKE_INCLUDE_DIR}")
endif()
