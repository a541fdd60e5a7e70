import { dayToIso } from '../domain/day.ts';
import type { Stay } from '../engine/stay.ts';

/** R1: what ends the stay, in words. */
export function endText(stay: Stay): string {
  const { departureDay } = stay.assignment;
  const last = Number.isFinite(stay.last) ? dayToIso(stay.last) : '';
  switch (stay.endedBy) {
    case 'departure_date':
      return `its last is ${last}, the eve of departure_date ${dayToIso(departureDay ?? stay.last + 1)}`;
    case 'batch_end':
      return `its last is ${last}, the batch’s actual_end_date`;
    case 'last_departure':
      return `its last is ${last}: not active and without departure_date, it ends with its last transfer or harvest`;
    case 'nothing':
      return 'nothing ends it';
  }
}
