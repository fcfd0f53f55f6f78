# One interface target with the language level, warnings, hardening and sanitizers of everything that is built here.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
include(CheckLinkerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C) # for the program, which asks for position-independent code

add_library(softrelu_options INTERFACE)
target_compile_features(softrelu_options INTERFACE c_std_11)

# -ffp-contract=off: results must not depend on whether the compiler found a place for a fused multiply-add.
# -Wno-missing-field-initializers: fields that an initialiser leaves out are 0, and meant to be.
# -ffile-prefix-map: two build paths give the same binary.
target_compile_options(softrelu_options INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wformat=2 -Wundef
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
    -Wno-missing-field-initializers -Wcast-qual -Wpointer-arith -Wwrite-strings
    -fno-math-errno -ffp-contract=off -ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=build)
if(SOFTRELU_WERROR)
    target_compile_options(softrelu_options INTERFACE -Werror)
endif()

if(SOFTRELU_SANITIZE)
    target_compile_options(softrelu_options INTERFACE -fsanitize=${SOFTRELU_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(softrelu_options INTERFACE -fsanitize=${SOFTRELU_SANITIZE})
else()
    # Sanitizers bring their own checks.
    foreach(flag IN ITEMS -fstack-protector-strong -fstack-clash-protection -fcf-protection)
        string(MAKE_C_IDENTIFIER "SOFTRELU_HAS${flag}" has)
        check_c_compiler_flag(${flag} ${has})
        if(${has})
            target_compile_options(softrelu_options INTERFACE ${flag})
        endif()
    endforeach()
    # Fortified calls need optimisation. Level 3 also knows sizes that are computed; a C library without it warns.
    set(CMAKE_REQUIRED_FLAGS "-O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
    check_c_source_compiles("#include <stdio.h>\nint main(void) { return 0; }" SOFTRELU_HAS_FORTIFY_SOURCE_3)
    unset(CMAKE_REQUIRED_FLAGS)
    set(fortify 2)
    if(SOFTRELU_HAS_FORTIFY_SOURCE_3)
        set(fortify 3)
    endif()
    target_compile_options(softrelu_options INTERFACE
        "$<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=${fortify}>")
    foreach(flag IN ITEMS relro now noexecstack)
        check_linker_flag(C "-Wl,-z,${flag}" SOFTRELU_HAS_LINKER_${flag})
        if(SOFTRELU_HAS_LINKER_${flag})
            target_link_options(softrelu_options INTERFACE -Wl,-z,${flag})
        endif()
    endforeach()
endif()
