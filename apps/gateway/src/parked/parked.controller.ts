import { Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { NotReplayable, replayParked } from '#bus';
import type { ParkedList, ParkedMessage } from '#contracts';
import { Unavailable } from '#platform';
import { ApiProblem, invalid } from '../http/problems.js';
import type { Parking } from '../surroundings.js';
import { PARKING } from '../tokens.js';

const MOST = 100;

/** The messages on the bus that nobody could handle: for a person to look at, put back or drop. */
@Controller('v1/parked')
export class ParkedController {
  constructor(@Inject(PARKING) private readonly parking: Parking) {}

  @Get()
  async list(): Promise<ParkedList> {
    const { total, newest } = await this.bus().parked(MOST);
    return { total, newest: [...newest] };
  }

  @Get(':number')
  async show(@Param('number') named: string): Promise<ParkedMessage> {
    const number = numberFrom(named);
    return found(number, await this.bus().parkedMessage(number));
  }

  @Post(':number/replay')
  @HttpCode(200)
  async replay(@Param('number') named: string): Promise<ParkedMessage> {
    const number = numberFrom(named);
    try {
      return found(number, await replayParked(this.bus(), number));
    } catch (error) {
      if (error instanceof NotReplayable) throw new ApiProblem(409, error.code, error.message);
      throw error;
    }
  }

  @Delete(':number')
  @HttpCode(204)
  async drop(@Param('number') named: string): Promise<void> {
    const number = numberFrom(named);
    found(number, (await this.bus().dropParked(number)) || undefined);
  }

  private bus(): NonNullable<Parking['bus']> {
    const { bus } = this.parking;
    if (bus?.isConnected()) return bus;
    throw new Unavailable('The bus cannot be reached now, and parked messages are kept there; try again later.');
  }
}

function numberFrom(text: string): number {
  const number = Number(text);
  if (/^\d{1,15}$/.test(text) && number > 0) return number;
  throw invalid({
    field: 'number',
    message: 'name the parked message by its number; `npx baton parked` (GET /v1/parked) lists them',
  });
}

function found<T>(number: number, message: T | undefined): T {
  if (message !== undefined) return message;
  throw new ApiProblem(
    404,
    'not-parked',
    `There is no parked message ${number}; \`npx baton parked\` (GET /v1/parked) lists them.`,
  );
}
