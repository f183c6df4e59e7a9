#include <stddef.h>

/* How many of the bytes are a ding. */
size_t bell_count(const unsigned char *bytes, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += bytes[i] == '*';
    return count;
}
