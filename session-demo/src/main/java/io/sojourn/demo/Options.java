package io.sojourn.demo;

import java.util.Optional;

/**
 * What the command line asks for. Immutable.
 *
 * @param script play the story and exit, instead of waiting for a person
 * @param container what the nodes run
 * @param store the URL of the store to use; empty for the one that the demo brings along
 * @param port where the balancer listens, 0 for any free port
 * @param help only say how the demo is used
 */
record Options(
    boolean script, Container container, Optional<String> store, int port, boolean help) {

  static final String USAGE =
      "usage: java -jar session-demo.jar [--script] [--container tomcat|jetty] [--store URL] [--port N] [--help]";

  static final String HELP =
      USAGE
          + """


            Two nodes share their HTTP sessions; kill one and go on working on the other.

              --script     play the story and check it; exit code 0 if every step held
              --container  what the nodes run: tomcat or jetty (default: tomcat)
              --store URL  keep the sessions there: redis://host:6379, or a database:
                           jdbc:mysql://host/db?user=..., jdbc:mariadb:..., jdbc:postgresql:...
                           (default: an H2 database inside this process)
              --port N     listen on this port of 127.0.0.1 (default 8080; 0: any free port)
              --help       this text
            """;

  private static final int DEFAULT_PORT = 8080;

  /**
   * Reads the command line.
   *
   * @throws DemoFailure if an argument is unknown or its value is missing or wrong
   */
  static Options parse(String... arguments) {
    boolean script = false;
    Container container = Container.TOMCAT;
    Optional<String> store = Optional.empty();
    int port = DEFAULT_PORT;
    boolean help = false;
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--script" -> script = true;
        case "--container" -> container = container(value(arguments, i++));
        case "--store" -> store = Optional.of(value(arguments, i++));
        case "--port" -> port = port(value(arguments, i++));
        case "--help", "-h" -> help = true;
        default -> throw wrong("unknown argument " + arguments[i]);
      }
    }
    return new Options(script, container, store, port, help);
  }

  private static String value(String[] arguments, int option) {
    if (option + 1 == arguments.length) {
      throw wrong(arguments[option] + " needs a value");
    }
    return arguments[option + 1];
  }

  private static Container container(String text) {
    for (Container container : Container.values()) {
      if (container.name().equalsIgnoreCase(text)) {
        return container;
      }
    }
    throw wrong("--container needs tomcat or jetty, not " + text);
  }

  private static int port(String text) {
    try {
      int port = Integer.parseInt(text);
      if (port >= 0 && port <= 65535) {
        return port;
      }
    } catch (NumberFormatException e) {
      // Not a number: as wrong as a number that is no port.
    }
    throw wrong("--port needs a number from 0 to 65535, not " + text);
  }

  private static DemoFailure wrong(String what) {
    return new DemoFailure(DemoFailure.START, what + "; " + USAGE);
  }
}
