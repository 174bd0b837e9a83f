/** To come. */
@NullMarked
package io.sojourn.demo;

import org.jspecify.annotations.NullMarked;
