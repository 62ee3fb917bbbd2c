#include "xaudit/util.h"

const char *xa_tool_version(void)
{
    return XA_TOOL_VERSION;
}
