# Build helpers: one function adds a module, another adds a test.
find_package(Threads REQUIRED)

# Settings of instrumented programs in tests; the file of suppressions says why each is needed. Where counters of lines cannot be
# written, because a test took the room away, this is said in a file, not on the standard error that tests compare.
set(XA_TEST_ENVIRONMENT "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/.ci/suppressions/lsan.txt")
string(APPEND XA_TEST_ENVIRONMENT ":print_suppressions=0:intercept_tls_get_addr=0")
if(XAUDIT_COVERAGE)
  list(APPEND XA_TEST_ENVIRONMENT GCOV_ERROR_FILE=${CMAKE_BINARY_DIR}/gcov-errors.log)
endif()

set(XA_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -Wconversion -Wno-sign-conversion -Wpointer-arith -Wwrite-strings -Wundef)
if(XAUDIT_WERROR)
  list(APPEND XA_WARNINGS -Werror)
endif()

# Results must not depend on what the compiler contracts: fused multiply-add is written out where wanted.
add_library(xa_flags INTERFACE)
target_compile_options(xa_flags INTERFACE ${XA_WARNINGS} -ffp-contract=off -fno-math-errno -fno-trapping-math)
target_compile_definitions(xa_flags INTERFACE _GNU_SOURCE)
target_include_directories(xa_flags INTERFACE ${PROJECT_SOURCE_DIR}/include)
if(XAUDIT_SANITIZE)
  # GCC's truncation analysis loses ranges in instrumented code and warns where it does not otherwise.
  target_compile_options(xa_flags INTERFACE -Wno-format-truncation -fsanitize=${XAUDIT_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(xa_flags INTERFACE -fsanitize=${XAUDIT_SANITIZE})
endif()
if(XAUDIT_COVERAGE)
  target_link_options(xa_flags INTERFACE --coverage)
endif()
if(XAUDIT_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "XAUDIT_FUZZ needs clang (Debian: clang libclang-rt-14-dev): -DCMAKE_C_COMPILER=clang")
  endif()
  target_compile_options(xa_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(xa_flags INTERFACE -fsanitize=address,undefined)
endif()

# To be linked behind xa_flags, whose options would otherwise come last and win: a target without sanitizers, and one without
# the undefined-behaviour sanitizer.
add_library(xa_unsanitized INTERFACE)
add_library(xa_address_alone INTERFACE)
if(XAUDIT_SANITIZE OR XAUDIT_FUZZ)
  target_compile_options(xa_unsanitized INTERFACE -fno-sanitize=all)
  target_compile_options(xa_address_alone INTERFACE -fno-sanitize=undefined)
endif()

# xa_module(name SOURCES a.c b.c [NEEDS module..] [LIBS target..])
# NEEDS are the modules above it in src/README.md's table, and nothing else: an upward call fails to link.
function(xa_module name)
  cmake_parse_arguments(M "" "" "SOURCES;NEEDS;LIBS" ${ARGN})
  add_library(xa_${name} STATIC ${M_SOURCES})
  target_link_libraries(xa_${name} PRIVATE xa_flags)
  if(XAUDIT_COVERAGE) # of src/ alone; kernels are objects of their own and have no counters
    target_compile_options(xa_${name} PRIVATE --coverage)
  endif()
  target_include_directories(xa_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include)
  foreach(need IN LISTS M_NEEDS)
    target_link_libraries(xa_${name} PUBLIC xa_${need})
  endforeach()
  target_link_libraries(xa_${name} PRIVATE ${M_LIBS})
endfunction()

# xa_test(name SOURCES test_x.c LIBS xa_module.. [LABELS unit|golden|ranks] [ARGS ..] [RANKS n])
# Labels: unit (one process, no MPI), golden (against values of a reference), ranks (several processes), cli (command line), slurm
# (several nodes).
# The program may use XA_TEST_DATA (the tests folder) and XA_PROJECT (the project folder).
function(xa_test name)
  cmake_parse_arguments(T "" "RANKS;TIMEOUT" "SOURCES;LIBS;LABELS;ARGS" ${ARGN})
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE xa_flags ${T_LIBS} PkgConfig::CMOCKA m)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE XA_TEST_DATA="${PROJECT_SOURCE_DIR}/tests"
    XA_PROJECT="${PROJECT_SOURCE_DIR}")
  if(NOT T_LABELS)
    set(T_LABELS unit)
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  if(T_RANKS)
    add_test(NAME ${name} COMMAND ${XA_MPIEXEC} -n ${T_RANKS} $<TARGET_FILE:${name}> ${T_ARGS})
  else()
    add_test(NAME ${name} COMMAND ${name} ${T_ARGS})
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${T_LABELS}" TIMEOUT ${T_TIMEOUT}
    ENVIRONMENT "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1;${XA_TEST_ENVIRONMENT};OPENBLAS_NUM_THREADS=1")
endfunction()
