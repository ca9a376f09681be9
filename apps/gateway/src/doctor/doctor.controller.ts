import { Controller, Get, Inject } from '@nestjs/common';
import type { Examination } from '#contracts';
import { Doctor } from './doctor.js';

@Controller('v1/doctor')
export class DoctorController {
  constructor(@Inject(Doctor) private readonly doctor: Doctor) {}

  @Get()
  examine(): Promise<Examination> {
    return this.doctor.examine();
  }
}
