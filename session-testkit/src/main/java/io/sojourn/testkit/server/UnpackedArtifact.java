package io.sojourn.testkit.server;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * Programs in a Maven artifact on the class path, unpacked once per JVM and deleted when it ends.
 *
 * <p>The artifact is found by the descriptor that Maven puts into every jar, so that its version
 * appears nowhere but in the pom.
 */
final class UnpackedArtifact {

  @GuardedBy("UnpackedArtifact.class")
  private static final Map<String, Path> FOLDERS = new HashMap<>();

  private UnpackedArtifact() {}

  /** Returns this machine as artifacts name it, such as {@code linux-amd64}. */
  static String platform() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String processor = System.getProperty("os.arch");
    return (system.startsWith("mac") ? "darwin" : system)
        + "-"
        + switch (processor) {
          case "x86_64" -> "amd64";
          case "aarch64" -> "arm64";
          default -> processor;
        };
  }

  /**
   * Says that an artifact has programs for one platform only.
   *
   * @throws FileNotFoundException if this machine is another one
   */
  static void requirePlatform(String platform) throws FileNotFoundException {
    if (!platform().equals(platform)) {
      throw nothingForThisPlatform();
    }
  }

  /**
   * Returns the folder with the wanted files of an artifact, all of them executable.
   *
   * @param artifact group and artifact, with a slash between
   * @param wanted matches the whole names of the entries that are wanted; its first group is the
   *     name to unpack it as
   * @throws FileNotFoundException if the artifact is not on the class path or holds no such entry
   * @throws IOException if it cannot be unpacked
   */
  static synchronized Path unpack(String artifact, Pattern wanted) throws IOException {
    Path known = FOLDERS.get(artifact);
    if (known != null) {
      return known;
    }
    URL descriptor =
        UnpackedArtifact.class.getResource("/META-INF/maven/" + artifact + "/pom.properties");
    if (descriptor == null || !(descriptor.openConnection() instanceof JarURLConnection jar)) {
      throw new FileNotFoundException("it is not on the class path");
    }
    jar.setUseCaches(false);
    Path folder = createFolder();
    try (JarFile file = jar.getJarFile()) {
      if (!unpack(file, wanted, folder)) {
        throw nothingForThisPlatform();
      }
    }
    FOLDERS.put(artifact, folder);
    return folder;
  }

  /**
   * Returns the folder with all of an archive that lies in an artifact without a descriptor.
   *
   * @param archive the name of a {@code .tar.gz} or {@code .txz} on the class path
   * @throws FileNotFoundException if it is not on the class path
   * @throws IOException if it cannot be unpacked
   */
  static synchronized Path unpackArchive(String archive) throws IOException {
    Path known = FOLDERS.get(archive);
    if (known != null) {
      return known;
    }
    try (InputStream packed = UnpackedArtifact.class.getResourceAsStream("/" + archive)) {
      if (packed == null) {
        throw new FileNotFoundException("it is not on the class path");
      }
      Path folder = createFolder();
      Path tar = folder.resolve("tar");
      // Small systems have a tar, but no xz for it to call.
      try (InputStream in =
          archive.endsWith(".txz") ? new XZInputStream(packed) : new GZIPInputStream(packed)) {
        Files.copy(in, tar);
      }
      PrivateProcess.run(List.of("tar", "-x", "--no-same-owner", "-f", tar.toString()), folder);
      Files.delete(tar);
      FOLDERS.put(archive, folder);
      return folder;
    }
  }

  /** Creates a folder that others can look into, as a program that root gives away has to. */
  private static Path createFolder() throws IOException {
    Path folder = TemporaryFolders.create("bin");
    TemporaryFolders.deleteAtExit(folder);
    return Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static FileNotFoundException nothingForThisPlatform() {
    return new FileNotFoundException("it has nothing for " + platform());
  }

  private static boolean unpack(JarFile jar, Pattern wanted, Path folder) throws IOException {
    boolean found = false;
    for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
      JarEntry entry = entries.nextElement();
      Matcher name = wanted.matcher(entry.getName());
      if (entry.isDirectory() || !name.matches()) {
        continue;
      }
      Path file = folder.resolve(name.group(1));
      Files.createDirectories(file.getParent());
      try (InputStream in = jar.getInputStream(entry)) {
        Files.copy(in, file);
      }
      if (!file.toFile().setExecutable(true)) {
        throw new IOException(file + " cannot be made executable");
      }
      found = true;
    }
    return found;
  }
}
