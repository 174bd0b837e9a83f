package io.sojourn.testkit.server;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** Folders under the temporary directory. */
final class TemporaryFolders {

  private TemporaryFolders() {}

  static Path create(String name) throws IOException {
    return Files.createTempDirectory("sojourn-" + name + "-");
  }

  /** Deletes a folder when the JVM ends, if it is still there then. */
  static void deleteAtExit(Path folder) {
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> deleteOrLog(folder), "sojourn-delete-folder"));
  }

  /** Deletes a folder and all in it, or logs why that cannot be done. */
  static void deleteOrLog(Path folder) {
    try {
      delete(folder);
    } catch (IOException e) {
      System.getLogger(TemporaryFolders.class.getName())
          .log(Level.WARNING, "Could not delete " + folder, e);
    }
  }

  /** Deletes a folder and all in it; one that is gone already is fine. */
  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
