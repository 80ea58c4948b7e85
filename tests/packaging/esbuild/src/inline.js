import { open } from 'lastgood/inline';

import { show } from './show.js';

show(open('/data/'));
