package io.sojourn.redis;

import io.lettuce.core.protocol.CommandHandler;
import io.lettuce.core.protocol.RedisCommand;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * Stands first where a connection's bytes come in, and tells the script whose answer is next that a
 * part of it has arrived: the driver would tell it of whole values only, and one may be large.
 */
final class ArrivalHandler extends ChannelInboundHandlerAdapter {

  private final CommandHandler commands;

  /**
   * The handler of one connection.
   *
   * @param commands knows what is to be answered on it, the oldest first
   */
  ArrivalHandler(CommandHandler commands) {
    this.commands = commands;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object arrived) {
    RedisCommand<?, ?, ?> next = commands.getStack().peek();
    if (next != null && next.getOutput() instanceof ScriptOutput answer) {
      answer.arrives();
    }
    var unused = context.fireChannelRead(arrived);
  }
}
