import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Closes HTTP/1.1 connections on which no whole request comes in time. Node does this by itself only for servers that
 * listen themselves; ours is given its sockets.
 */
export class Patience {
  private readonly waiting = new WeakMap<Socket, NodeJS.Timeout>();

  constructor(private readonly limitMs: number) {}

  begin(socket: Socket): void {
    this.wait(socket);
    socket.once('close', () => clearTimeout(this.waiting.get(socket)));
  }

  /** While a request is being answered the client need not say anything. */
  pause(socket: Socket, response: ServerResponse): void {
    clearTimeout(this.waiting.get(socket));
    response.once('close', () => this.wait(socket));
  }

  private wait(socket: Socket): void {
    clearTimeout(this.waiting.get(socket));
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), this.limitMs);
    this.waiting.set(socket, timer);
  }
}
