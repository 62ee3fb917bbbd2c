/* To which package the class of a configuration's entry belongs. Keras 3, and tf.keras from 2.13
 * on, write `module` and `registered_name` beside `class_name`. Older files and .h5 write the
 * package before the class, "my>Conv2D", and nothing for a class that was never registered, which
 * Keras then takes for its own. */
#include <stdio.h>
#include <string.h>

#include "scope.h"

/* Is `name` (n bytes) `package`, or inside of it, as "keras.src.layers" is in "keras"? */
static bool lies_in(const char *name, size_t n, const char *package)
{
    const size_t k = strlen(package);
    return n >= k && !strncmp(name, package, k) && (n == k || name[k] == '.');
}

static bool is_keras(const char *name, size_t n)
{
    static const char *const packages[] = {"keras",
                                           "Keras",
                                           "tf_keras",
                                           "keras_core",
                                           "tf.keras",
                                           "tensorflow.keras",
                                           "tensorflow.python.keras"};
    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++)
        if (lies_in(name, n, packages[i]))
            return true;
    return false;
}

bool xa__kclass_is_listed(const char *list, const char *named)
{
    const size_t n = strlen(named);
    for (const char *at = list; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (!strncmp(at, named, n) && (at[n] == '\n' || at[n] == '\0'))
            return true;
    return false;
}

/* vit-keras registers its layers under Keras' default package. */
static bool is_vit_keras(const char *name, size_t n)
{
    return lies_in(name, n, "vit_keras") || (n == 6 && !strncmp(name, "Custom", n));
}

bool xa__kclass_is_own(
    const json_t *entry, const char *written, bool library, char *named, size_t size)
{
    const char *module = json_string_value(json_object_get(entry, "module"));
    const char *registered = json_string_value(json_object_get(entry, "registered_name"));
    const char *full = registered && strchr(registered, '>') ? registered : written;
    const char *mark = strrchr(full, '>');
    bool own = true;
    if (mark) /* vit-keras: its own module, or none is written */
        own = is_keras(full, (size_t)(mark - full)) ||
              (library && is_vit_keras(full, (size_t)(mark - full)) &&
               (!module || lies_in(module, strlen(module), "vit_keras")));
    else if (module)
        own = is_keras(module, strlen(module)) ||
              (library && lies_in(module, strlen(module), "vit_keras"));
    else /* Keras registers none of its layers, so that a registered class without a module is a
          * user's
          */
        own = !registered;
    if (mark || !module)
        snprintf(named, size, "%s", full);
    else
        snprintf(named, size, "%s.%s", module, written);
    return own;
}
