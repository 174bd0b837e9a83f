package io.sojourn.testkit.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;

/** What holds for every program that is started here. */
final class ProgramChecks {

  private ProgramChecks() {}

  static void closeLeavesNoProcessAndNoFolder(PrivateProcess.Program program) throws IOException {
    PrivateProcess server = PrivateProcess.launch(program);
    ProcessHandle process = ProcessHandle.of(server.pid()).orElseThrow();
    assertThat(process.isAlive()).isTrue();
    assertThat(server.folder()).isDirectory();

    server.close();
    server.close();

    assertThat(process.isAlive()).isFalse();
    assertThat(server.folder()).doesNotExist();
    assertThatThrownBy(server::start).isInstanceOf(IllegalStateException.class);
  }
}
