# Targets `tidy` and `cppcheck`: fail on any finding in the library, the program, the examples and the benchmarks.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
find_program(SOFTRELU_CLANG_TIDY clang-tidy)
find_program(SOFTRELU_CPPCHECK cppcheck)
file(GLOB_RECURSE analysed CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/*.c ${PROJECT_SOURCE_DIR}/cli/*.c
    ${PROJECT_SOURCE_DIR}/examples/*.c ${PROJECT_SOURCE_DIR}/bench/*.c)
# what races the peers is compiled, and can be analysed, only where they are installed
list(FILTER analysed EXCLUDE REGEX /bench/peers/)
if(TARGET softrelu_mpi)
    file(GLOB mpi_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/mpi/*.c)
    list(APPEND analysed ${mpi_sources})
else()
    list(FILTER analysed EXCLUDE REGEX /bench/scaling/)
endif()

if(SOFTRELU_CLANG_TIDY)
    # The analyser takes most of the time. Every day it explores less of each function; a release has all of it.
    if(NOT SOFTRELU_FULL_TESTS)
        set(shallow --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=mode=shallow)
    endif()
    add_custom_target(tidy COMMAND printf "%s\\n" ${analysed} | xargs -P 2 -n 4 ${SOFTRELU_CLANG_TIDY} --quiet ${shallow}
        --warnings-as-errors=* -p ${PROJECT_BINARY_DIR} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
        COMMENT "clang-tidy" VERBATIM)
endif()
if(SOFTRELU_CPPCHECK)
    add_custom_target(cppcheck COMMAND ${SOFTRELU_CPPCHECK} --quiet --std=c11 --enable=warning,performance,portability
        --inline-suppr --error-exitcode=1 --suppressions-list=${PROJECT_SOURCE_DIR}/cmake/cppcheck-suppressions.txt
        -I ${PROJECT_SOURCE_DIR}/include -I ${PROJECT_SOURCE_DIR}/src -I ${PROJECT_SOURCE_DIR}/cli
        -I ${PROJECT_SOURCE_DIR}/bench/support ${analysed}
        COMMENT "cppcheck" VERBATIM)
endif()
