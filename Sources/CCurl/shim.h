// libcurl, with its variadic setters as typed functions.
#ifndef HOLDFAST_CCURL_SHIM_H
#define HOLDFAST_CCURL_SHIM_H
#include <curl/curl.h>
#endif
