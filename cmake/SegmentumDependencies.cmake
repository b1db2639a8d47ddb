# Every third-party package, in one place, with the Debian package that brings it (cmake/packages.txt lists them for ./run).
# Installed beside segmentumConfig.cmake too, so that what links the library finds what the library links.
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)                 # g++

# segmentum_find(TARGET HEADER LIBRARY ... [SUFFIXES dir ...]): an imported target from a header and libraries, for
# packages whose own CMake files are absent from Debian's -dev package or ask for more than we use.
function(segmentum_find target header)
  if(TARGET ${target})
    return()
  endif()
  cmake_parse_arguments(arg "" "" "LIBRARIES;SUFFIXES" ${ARGN})
  string(MAKE_C_IDENTIFIER ${target} id)
  find_path(${id}_INCLUDE_DIR ${header} PATH_SUFFIXES ${arg_SUFFIXES} REQUIRED)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE ${${id}_INCLUDE_DIR})
  foreach(library IN LISTS arg_LIBRARIES)
    find_library(${id}_${library} ${library} REQUIRED)
    target_link_libraries(${target} INTERFACE ${${id}_${library}})
  endforeach()
endfunction()

segmentum_find(dnnl::dnnl oneapi/dnnl/dnnl.hpp LIBRARIES dnnl)   # libdnnl-dev (its CMake files want OpenCL)
segmentum_find(turbojpeg::turbojpeg turbojpeg.h LIBRARIES turbojpeg)  # libturbojpeg0-dev
segmentum_find(libzip::zip zip.h LIBRARIES zip)              # libzip-dev (its CMake files want programs of another package)
segmentum_find(nettle::nettle nettle/sha2.h LIBRARIES nettle)  # nettle-dev
segmentum_find(pugixml::pugixml pugixml.hpp LIBRARIES pugixml)  # libpugixml-dev
find_package(hwy REQUIRED)                                   # libhwy-dev
find_package(PNG REQUIRED)                                   # libpng-dev
find_package(JPEG REQUIRED)                                  # libjpeg-dev, for rows: turbojpeg decodes whole pictures alone
find_package(ZLIB REQUIRED)                                  # zlib1g-dev
find_package(TIFF REQUIRED)                                  # libtiff-dev
find_package(tomlplusplus REQUIRED)                          # libtomlplusplus-dev
find_package(fmt REQUIRED)                                   # libfmt-dev

# Headers only: needed to build the library, not to link it.
set(SEGMENTUM_HEADER_ONLY CLI11::CLI11 nlohmann_json::nlohmann_json)
if(NOT SEGMENTUM_IS_INSTALLED)
  find_package(CLI11 REQUIRED)                               # libcli11-dev
  find_package(nlohmann_json REQUIRED)                       # nlohmann-json3-dev
endif()
if(SEGMENTUM_BUILD_TESTS)
  find_package(GTest REQUIRED)                               # libgtest-dev libgmock-dev
  include(GoogleTest)
endif()
