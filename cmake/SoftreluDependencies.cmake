# BLAS, LAPACK and LAPACKE with 32-bit integers. The usual variables choose: BLA_VENDOR, or BLAS_LIBRARIES and LAPACK_LIBRARIES by
# hand. Unless they do: where the system's alternatives stand behind libblas.so.3 (Debian) they choose, each time a program
# starts; elsewhere OpenBLAS, because the plain libblas is the slow one there.
if(NOT BLA_VENDOR AND NOT DEFINED ENV{BLA_VENDOR})
    if(EXISTS /etc/alternatives/libblas.so.3-${CMAKE_LIBRARY_ARCHITECTURE})
        set(BLA_VENDOR Generic)
    else()
        set(BLA_VENDOR OpenBLAS)
    endif()
endif()
set(softrelu_package_vendor ${BLA_VENDOR}) # what users of the static library look for, unless they choose
find_package(BLAS REQUIRED)
find_package(LAPACK QUIET)
if(NOT LAPACK_FOUND)
    # BLIS, for one, has no LAPACK: the plain one, on top of it. A function, so that the BLAS beside that one is forgotten.
    function(softrelu_find_plain_lapack)
        set(BLA_VENDOR Generic)
        find_package(LAPACK REQUIRED)
        list(REMOVE_ITEM LAPACK_LIBRARIES ${BLAS_LIBRARIES})
        set(LAPACK_LIBRARIES ${LAPACK_LIBRARIES} PARENT_SCOPE)
    endfunction()
    softrelu_find_plain_lapack()
    set(softrelu_package_vendor Generic)
endif()
find_package(LAPACKE REQUIRED)
find_path(CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas REQUIRED)
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED) # headers only: nothing of it is needed to run
mark_as_advanced(CBLAS_INCLUDE_DIR RANDOM123_INCLUDE_DIR)

set(THREADS_PREFER_PTHREAD_FLAG OFF)
find_package(Threads REQUIRED)

# For tests, examples and where the Python package goes. Debian's own interpreter is preferred: it is the one that has python3-numpy.
find_program(SOFTRELU_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(SOFTRELU_PYTHON NAMES python3)
mark_as_advanced(SOFTRELU_PYTHON)
