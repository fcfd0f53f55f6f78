# One interface target with the language level, warnings, hardening and sanitizers of everything that is built here.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)

add_library(softrelu_options INTERFACE)
target_compile_features(softrelu_options INTERFACE c_std_11)

# -ffp-contract=off: results must not depend on whether the compiler found a place for a fused multiply-add.
# -Wno-missing-field-initializers: fields that an initialiser leaves out are 0, and meant to be.
# -ffile-prefix-map: two build paths give the same binary.
target_compile_options(softrelu_options INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wformat=2 -Wundef
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
    -Wno-missing-field-initializers -Wcast-qual -Wpointer-arith -Wwrite-strings
    -fno-math-errno -ffp-contract=off -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
if(SOFTRELU_WERROR)
    target_compile_options(softrelu_options INTERFACE -Werror)
endif()

if(SOFTRELU_SANITIZE)
    target_compile_options(softrelu_options INTERFACE -fsanitize=${SOFTRELU_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(softrelu_options INTERFACE -fsanitize=${SOFTRELU_SANITIZE})
else()
    # Fortified calls need optimisation, and sanitizers bring their own checks.
    foreach(flag IN ITEMS -fstack-protector-strong -fstack-clash-protection -fcf-protection)
        string(MAKE_C_IDENTIFIER "SOFTRELU_HAS${flag}" has)
        check_c_compiler_flag(${flag} ${has})
        if(${has})
            target_compile_options(softrelu_options INTERFACE ${flag})
        endif()
    endforeach()
    target_compile_options(softrelu_options INTERFACE $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
    check_linker_flag(C "-Wl,-z,relro,-z,now" SOFTRELU_HAS_RELRO)
    if(SOFTRELU_HAS_RELRO)
        target_link_options(softrelu_options INTERFACE -Wl,-z,relro,-z,now)
    endif()
endif()
