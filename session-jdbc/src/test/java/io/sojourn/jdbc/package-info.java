@NullMarked
package io.sojourn.jdbc;

import org.jspecify.annotations.NullMarked;
