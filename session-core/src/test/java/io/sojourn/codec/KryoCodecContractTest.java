package io.sojourn.codec;

import io.sojourn.AttributeCodec;

class KryoCodecContractTest extends AttributeCodecContract {

  @Override
  AttributeCodec codec() {
    return new KryoCodec(LOADER, FILTER);
  }
}
