@NullMarked
package io.sojourn.jetty;

import org.jspecify.annotations.NullMarked;
