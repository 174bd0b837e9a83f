/** To come. */
@NullMarked
package io.sojourn.benchmarks;

import org.jspecify.annotations.NullMarked;
