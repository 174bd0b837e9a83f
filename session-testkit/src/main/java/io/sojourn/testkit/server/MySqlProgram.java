package io.sojourn.testkit.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * How servers of MySQL and its kin are run, by users of any name.
 *
 * @param server the program and where its own files are
 * @param installer the command that makes a new data folder
 * @param installation the installer's arguments after those that both commands take
 * @param settings what both commands take
 */
record MySqlProgram(
    DatabaseProduct<?> product,
    List<String> server,
    List<String> installer,
    List<String> installation,
    List<String> settings,
    String password)
    implements PrivateProcess.Program {

  @Override
  public String name() {
    return product.scheme();
  }

  @Override
  public void prepare(Path folder) throws IOException {
    Files.createDirectory(folder.resolve("tmp"));
    // One statement a line, as --init-file wants it. The installer's own accounts are for a Unix
    // socket, and there is none.
    Files.write(
        initFile(folder),
        List.of(
            "CREATE USER IF NOT EXISTS root@'127.0.0.1' IDENTIFIED BY '" + password + "';",
            "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;"));
    PrivateProcess.run(commandLine(installer, folder, installation), folder);
  }

  @Override
  public List<String> command(Path folder, int port) {
    // No Unix socket: its path would be too long under a long temporary folder.
    return commandLine(
        server,
        folder,
        List.of(
            "--bind-address=127.0.0.1",
            "--init-file=" + initFile(folder),
            "--pid-file=" + folder.resolve("pid"),
            "--port=" + port,
            "--socket="));
  }

  @Override
  public boolean answers(int port, long pid) {
    return product.answers(port, password);
  }

  private List<String> commandLine(List<String> program, Path folder, List<String> more) {
    Stream<String> folders =
        Stream.of("--datadir=" + folder.resolve("data"), "--tmpdir=" + folder.resolve("tmp"));
    // Without it, root is refused.
    Stream<String> user = PrivateProcess.IS_ROOT ? Stream.of("--user=root") : Stream.empty();
    return Stream.of(program.stream(), folders, user, settings.stream(), more.stream())
        .flatMap(arguments -> arguments)
        .toList();
  }

  private static Path initFile(Path folder) {
    return folder.resolve("init.sql");
  }
}
