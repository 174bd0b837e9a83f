package io.sojourn.demo;

import java.net.URI;
import java.util.List;
import java.util.Optional;

/** The nodes that a balancer spreads requests over. Thread-safe. */
interface Nodes {

  /** A running node: one process of it, at its address. */
  record Backend(String name, long pid, URI address) {}

  /** The nodes that are up, ordered by name. One of them may be gone by the time it is asked. */
  List<Backend> live();

  /** Kills a node (SIGKILL) and returns once it is dead; empty if no such node was up. */
  Optional<Backend> kill(String name);
}
