# BLAS, LAPACK and LAPACKE with 32-bit integers; OpenBLAS unless BLA_VENDOR says otherwise.
if(NOT DEFINED BLA_VENDOR AND NOT DEFINED ENV{BLA_VENDOR})
    set(BLA_VENDOR OpenBLAS)
endif()
find_package(BLAS REQUIRED)
find_package(LAPACK REQUIRED)
find_package(LAPACKE REQUIRED)
find_path(CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas REQUIRED)
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED) # headers only: nothing of it is needed to run
mark_as_advanced(CBLAS_INCLUDE_DIR RANDOM123_INCLUDE_DIR)

set(THREADS_PREFER_PTHREAD_FLAG OFF)
find_package(Threads REQUIRED)
