import { open } from 'lastgood';

import { show } from './show.js';

show(open('/data/'));
