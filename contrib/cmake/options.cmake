# Flags shared by every target of the project, as one interface library.
add_library(mtrk_options INTERFACE)
target_include_directories(mtrk_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(mtrk_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wextra-semi
  $<$<BOOL:${MTRK_WERROR}>:-Werror>
  -fstack-protector-strong)
target_compile_definitions(mtrk_options INTERFACE
  $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>
  $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
target_link_options(mtrk_options INTERFACE -Wl,-z,relro,-z,now)
if(MTRK_SANITIZE)
  target_compile_options(mtrk_options INTERFACE -fsanitize=${MTRK_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(mtrk_options INTERFACE -fsanitize=${MTRK_SANITIZE})
  if(MTRK_SANITIZE MATCHES "undefined")
    # This part asks the kernel through a pipe, and takes its own lack of a descriptor for an error.
    target_compile_options(mtrk_options INTERFACE -fno-sanitize=vptr)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      # clang 14 cannot assemble coroutines with this part.
      target_compile_options(mtrk_options INTERFACE -fno-sanitize=function)
    endif()
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND MTRK_SANITIZE MATCHES "thread")
    # g++ 12 warns about atomic_thread_fence, which -Werror would turn into a failure.
    target_compile_options(mtrk_options INTERFACE -Wno-tsan)
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
  # With optimisation g++ 13 and 14 take the members of an empty std::optional for used.
  target_compile_options(mtrk_options INTERFACE -Wno-maybe-uninitialized)
endif()
if(MTRK_FUZZ)
  target_compile_options(mtrk_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# For builds of everything, where parsing large foreign headers is a third of the work. Off in the
# others, which therefore notice a missing #include.
option(MTRK_PCH "Precompile the large headers of each library and test" OFF)
function(precompile target)  # HEADER... or REUSE_FROM OTHER_TARGET
  if(MTRK_PCH)
    if(ARGV1 STREQUAL "REUSE_FROM")
      target_precompile_headers(${target} ${ARGN})
    else()
      target_precompile_headers(${target} PRIVATE ${ARGN})
    endif()
  endif()
endfunction()

# Eight sources as one: their common headers are read, and the templates in them compiled, once. Sources whose
# local names another has too stand apart; a new clash shows as "redefinition of" in contrib/check. Off in the
# preset dev, which therefore notices a source that lacks an #include.
option(MTRK_UNITE "Compile the sources of each library and test in batches" OFF)
function(unite target)  # [SOURCE...]: those that stand apart
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${MTRK_UNITE} UNITY_BUILD_BATCH_SIZE 8)
  if(MTRK_UNITE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Meant for types of headers; in a batch g++ sees a source as one.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

configure_file(${PROJECT_SOURCE_DIR}/contrib/cmake/version.h.in
               ${PROJECT_BINARY_DIR}/generated/mtrk_version.h @ONLY)
