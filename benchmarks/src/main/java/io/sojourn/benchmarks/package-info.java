/**
 * JMH benchmarks of the hot read and write path; docs/benchmarks.md says how to run them and what
 * they showed.
 */
@NullMarked
package io.sojourn.benchmarks;

import org.jspecify.annotations.NullMarked;
