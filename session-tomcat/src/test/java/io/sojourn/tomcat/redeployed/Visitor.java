package io.sojourn.tomcat.redeployed;

import io.sojourn.tomcat.Departures;
import jakarta.servlet.http.HttpSessionBindingEvent;
import jakarta.servlet.http.HttpSessionBindingListener;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** An object of the web application's that wants to know when it leaves its session. */
public final class Visitor implements HttpSessionBindingListener, Serializable {
  private static final long serialVersionUID = 1L;

  private final String name;
  private final ArrayList<Bag> bags = new ArrayList<>(List.of(new Bag("red")));

  /** What it has, inside a collection of the JDK's. */
  record Bag(String color) implements Serializable {}

  Visitor(String name) {
    this.name = name;
  }

  @Override
  public void valueUnbound(HttpSessionBindingEvent event) {
    for (Bag bag : bags) {
      Departures.note(name, this, bag);
    }
  }
}
