/** gRPC puts five bytes before each message: a flag (0: not compressed) and the length. */
const PREFIX = 5;

/** Cuts what arrives into whole frames, prefix and all, so that each can be passed on byte for byte. */
export class Frames {
  private rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): readonly Buffer[] {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const frames: Buffer[] = [];
    while (this.rest.length >= PREFIX) {
      const end = PREFIX + this.rest.readUInt32BE(1);
      if (this.rest.length < end) break;
      frames.push(this.rest.subarray(0, end));
      this.rest = this.rest.subarray(end);
    }
    return frames;
  }
}

export const messageIn = (frame: Buffer): Buffer => frame.subarray(PREFIX);
