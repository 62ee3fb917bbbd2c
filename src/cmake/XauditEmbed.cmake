# xa_embed(target PREFIX prefix FILES assets/page.html ..): the files become constants of the target.
# "page.css" becomes the text `<prefix>page_css`. A file that has lines "@@ name" becomes one text per piece,
# `<prefix><file>_<name>`: what stands before the first such line is a comment, and the line feed before the next one is not
# part of a piece. The generated header assets.h declares them all, so that a piece that is missing does not compile.
set(XA_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/embed.cmake")
function(xa_embed target)
  cmake_parse_arguments(E "" "PREFIX" "FILES" ${ARGN})
  set(header "${CMAKE_CURRENT_BINARY_DIR}/assets.h")
  set(source "${CMAKE_CURRENT_BINARY_DIR}/assets.c")
  set(inputs "")
  foreach(file IN LISTS E_FILES)
    list(APPEND inputs "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  endforeach()
  string(REPLACE ";" "|" joined "${inputs}")
  add_custom_command(OUTPUT "${header}" "${source}"
    COMMAND ${CMAKE_COMMAND} "-DINPUTS=${joined}" "-DPREFIX=${E_PREFIX}" "-DHEADER=${header}" "-DSOURCE=${source}"
      -P "${XA_EMBED_SCRIPT}"
    DEPENDS ${inputs} "${XA_EMBED_SCRIPT}" VERBATIM)
  target_sources(${target} PRIVATE "${source}" "${header}")
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}")
endfunction()
