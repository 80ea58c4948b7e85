import { open } from 'lastgood';
import wasm from 'lastgood/lastgood_reader_bg.wasm';

import { show } from './show.js';

show(open('/data/', { wasm }));
