/**
 * The main job in one command: two nodes behind a balancer, one is killed, the session lives on.
 *
 * <p>{@link io.sojourn.demo.Demo} is the launcher. It holds the {@link io.sojourn.demo.SharedStore
 * store} that both nodes use, the {@link io.sojourn.demo.Cluster} of node processes and the {@link
 * io.sojourn.demo.Balancer} before them; {@link io.sojourn.demo.Story} plays the part of the person
 * when nobody is there. A {@link io.sojourn.demo.Node} runs in a JVM of its own: a Tomcat or Jetty
 * with one application, {@link io.sojourn.demo.Shop}, which knows nothing of any of this and uses
 * sessions as every application does.
 */
@NullMarked
package io.sojourn.demo;

import org.jspecify.annotations.NullMarked;
