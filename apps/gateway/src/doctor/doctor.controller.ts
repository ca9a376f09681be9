import { Controller, Get, Inject } from '@nestjs/common';
import type { Examination } from '#contracts';
import { InTurn } from '../http/in-turn.js';
import { Doctor } from './doctor.js';

@Controller('v1/doctor')
export class DoctorController {
  private readonly turns = new InTurn();

  constructor(@Inject(Doctor) private readonly doctor: Doctor) {}

  @Get()
  examine(): Promise<Examination> {
    return this.turns.take(() => this.doctor.examine());
  }
}
