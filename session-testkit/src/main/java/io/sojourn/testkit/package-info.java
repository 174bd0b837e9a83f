/**
 * The contracts of stores and containers as tests. Whoever builds a store or an adapter subclasses
 * the contract and says how to open or start theirs; {@link io.sojourn.testkit.server} has the real
 * servers to do it on.
 */
@NullMarked
package io.sojourn.testkit;

import org.jspecify.annotations.NullMarked;
