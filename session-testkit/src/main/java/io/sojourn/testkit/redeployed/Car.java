package io.sojourn.testkit.redeployed;

import java.io.Serializable;
import java.util.ArrayList;

/** An object of the web application's in its sessions. */
public final class Car implements Serializable {
  private static final long serialVersionUID = 1L;

  private final ArrayList<Part> parts = new ArrayList<>();
  private int miles;

  /** A part of it, inside a collection of the JDK's. */
  record Part(String name) implements Serializable {}

  int drive() {
    miles++;
    parts.clear();
    parts.add(new Part("wheel " + miles));
    return miles;
  }

  int miles() {
    for (Part part : parts) {
      if (!part.name().equals("wheel " + miles)) {
        throw new IllegalStateException(part + " after " + miles + " miles");
      }
    }
    return miles;
  }
}
