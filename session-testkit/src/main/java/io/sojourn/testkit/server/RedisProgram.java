package io.sojourn.testkit.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How {@code redis-server} is run: as a single server that keeps nothing on the disk, unless a
 * subclass knows better.
 */
class RedisProgram implements PrivateProcess.Program {

  static final String PROGRAM = "redis-server";
  static final String ARTIFACT = "com.github.codemonstur/embedded-redis";

  private final Path executable;
  private final RedisAccess access;
  private final List<String> arguments;

  /**
   * @param access who is let in
   * @param arguments what follows our own arguments, word by word
   */
  RedisProgram(Path executable, RedisAccess access, List<String> arguments) {
    this.executable = executable;
    this.access = access;
    this.arguments = List.copyOf(arguments);
  }

  static Path onPath() throws IOException {
    return ServerSearch.onPath(PROGRAM);
  }

  static Path inArtifact() throws IOException {
    Pattern wanted =
        Pattern.compile("(" + PROGRAM + ")-.*-" + Pattern.quote(UnpackedArtifact.platform()));
    return UnpackedArtifact.unpack(ARTIFACT, wanted).resolve(PROGRAM);
  }

  /** Returns the words of arguments; the empty one is a word too. */
  static List<String> words(String... arguments) {
    return Stream.of(arguments)
        .flatMap(argument -> Stream.of(argument.strip().split("\\s+", -1)))
        .toList();
  }

  /** Returns the arguments that make a server keep nothing on the disk. */
  static List<String> withoutDisk() {
    return List.of("--save", "", "--appendonly", "no");
  }

  /**
   * Returns whether a server answers and is the expected one.
   *
   * @param expected what the answer of INFO has to contain
   * @param mayRefuse whether it may also refuse to tell, as one with a password does
   */
  static boolean answers(RedisAccess access, int port, String expected, boolean mayRefuse) {
    try (RedisConnection connection = RedisConnection.open(access, port)) {
      return connection.text("INFO", "server").contains(expected);
    } catch (RedisConnection.Refusal e) {
      return mayRefuse && Pattern.compile("(NOAUTH|NOPERM)\\b").matcher(e.getMessage()).lookingAt();
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public String name() {
    return "redis";
  }

  @Override
  public List<String> command(Path folder, int port) {
    List<String> words = new ArrayList<>(List.of("--bind", "127.0.0.1", "--dir", "" + folder));
    words.addAll(access.portArguments(port));
    words.addAll(access.userArguments());
    words.addAll(withoutDisk());
    words.addAll(arguments);
    return PrivateProcess.command(executable, words);
  }

  final Path executable() {
    return executable;
  }

  final RedisAccess access() {
    return access;
  }

  /**
   * Asks for what identifies a server, so that no other one on the port is taken for ours. One that
   * only its users may ask refuses, and then it has to do that our process is there, which would
   * have ended without the port.
   */
  @Override
  public final boolean answers(int port, long pid) {
    return answers(access, port, "process_id:" + pid + "\r\n", !arguments.isEmpty());
  }
}
