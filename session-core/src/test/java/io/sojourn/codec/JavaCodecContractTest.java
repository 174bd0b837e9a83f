package io.sojourn.codec;

import io.sojourn.AttributeCodec;

class JavaCodecContractTest extends AttributeCodecContract {

  @Override
  AttributeCodec codec() {
    return new JavaCodec(LOADER, FILTER);
  }
}
