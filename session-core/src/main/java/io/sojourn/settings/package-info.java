/** What a user may choose in any container, as text. */
@NullMarked
package io.sojourn.settings;

import org.jspecify.annotations.NullMarked;
