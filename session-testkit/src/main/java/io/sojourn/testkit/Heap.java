package io.sojourn.testkit;

import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

/** What is alive in this JVM. */
public final class Heap {

  /** Rank, instances, bytes, class, and perhaps its module. */
  private static final Pattern LINE =
      Pattern.compile("(?m)^\\s*\\d+:\\s+(\\d+)\\s+\\d+\\s+(\\S+).*$");

  private Heap() {}

  /** How many objects that cannot be collected there are of each class, by the class's name. */
  public static Map<String, Integer> histogram() {
    try {
      String text =
          (String)
              ManagementFactory.getPlatformMBeanServer()
                  .invoke(
                      new ObjectName("com.sun.management:type=DiagnosticCommand"),
                      "gcClassHistogram",
                      new Object[] {new String[0]},
                      new String[] {String[].class.getName()});
      Map<String, Integer> instances = new HashMap<>();
      for (Matcher line = LINE.matcher(text); line.find(); ) {
        instances.merge(line.group(2), Integer.parseInt(line.group(1)), Integer::sum);
      }
      return instances;
    } catch (JMException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * How many threads there are of each name, without the numbers in it. Those that serve requests,
   * of clients and of waiting tests come and go.
   */
  public static Map<String, Integer> threads() {
    Map<String, Integer> threads = new TreeMap<>();
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      String name = thread.getName();
      if (!name.contains("-exec-")
          && !name.startsWith("HttpClient")
          && !name.startsWith("awaitility")) {
        threads.merge(name.replaceAll("\\d+", "#"), 1, Integer::sum);
      }
    }
    return threads;
  }
}
