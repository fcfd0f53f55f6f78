# CPack runs this before and after it makes the packages: it gives directories, and the three members of a .deb, the mode that
# the umask of whoever packs leaves them.
if(NOT CPACK_PACKAGE_FILES) # before
    file(GLOB_RECURSE entries LIST_DIRECTORIES true ${CPACK_TEMPORARY_DIRECTORY}/*)
    foreach(entry IN LISTS entries)
        if(IS_DIRECTORY ${entry})
            file(CHMOD ${entry} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
        endif()
    endforeach()
endif()
find_program(AR ar REQUIRED)
foreach(package IN LISTS CPACK_PACKAGE_FILES) # after
    set(members ${package}.members)
    file(MAKE_DIRECTORY ${members})
    execute_process(COMMAND ${AR} x ${package} WORKING_DIRECTORY ${members} COMMAND_ERROR_IS_FATAL ANY)
    file(REMOVE ${package})
    execute_process(COMMAND ${AR} qcSD ${package} debian-binary control.tar.gz data.tar.gz WORKING_DIRECTORY ${members}
        COMMAND_ERROR_IS_FATAL ANY)
    file(REMOVE_RECURSE ${members})
endforeach()
