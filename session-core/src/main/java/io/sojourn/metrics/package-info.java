/** What a node has done, as any container shows it. */
@NullMarked
package io.sojourn.metrics;

import org.jspecify.annotations.NullMarked;
