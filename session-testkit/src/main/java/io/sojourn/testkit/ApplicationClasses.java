package io.sojourn.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** Classes that a web application brings along, though they are on the class path too. */
public final class ApplicationClasses {

  /** Those of {@link io.sojourn.testkit.redeployed.Garage}. */
  public static final List<String> GARAGE =
      List.of(
          "io.sojourn.testkit.redeployed.Car",
          "io.sojourn.testkit.redeployed.Car$Part",
          "io.sojourn.testkit.redeployed.Garage");

  private ApplicationClasses() {}

  /**
   * Copies classes into {@code WEB-INF/classes} of a web application's folder.
   *
   * @return the web application's folder
   */
  public static Path bring(Path folder, List<String> names) throws IOException {
    for (String name : names) {
      String file = name.replace('.', '/') + ".class";
      Path target = classes(folder).resolve(file);
      Files.createDirectories(target.getParent());
      try (InputStream in = ApplicationClasses.class.getResourceAsStream("/" + file)) {
        Files.copy(Objects.requireNonNull(in, name), target);
      }
    }
    return folder;
  }

  /** Where they are. */
  public static Path classes(Path folder) {
    return folder.resolve("WEB-INF/classes");
  }
}
