// The things characters and players talk about: names, towns, prices, ways, rumours, moods and their reasons. Data only.
// The last entries of each list are kept out of training; see heldout.ts.
import { split } from './fragment.ts';

export const names =
  split(`Marta|Tobin|Elsbeth|Garrick|Nell|Osric|Wren|Hilda|Bram|Isolde|Corin|Maud|Perrin|Greta|Alden|Sabine|Rolf|Tilda|
Edmund|Yara|Gunnar|Lisbet|Oswin|Petra|Fenn|Dagny|Hugo|Mirela|Anselm|Bettina|Kester|Olga|Silas|Runa|Jasper|Ottilie|Colm|Freya|Barnaby|
Linnea|Magnus|Rosa|Tancred|Una|Viktor|Agnes|Dorin|Selma|Ivo|Clara|Matthis|Nora|Leopold|Edda|Quentin|Zora|Balthasar|Imke`);
export const towns =
  split(`Fallowmere|Oakhaven|Greywater|Thornbridge|Millbrook|Ashford|Ravenscar|Stonewick|Larkhill|Winterbourne|Dunmere|
Elmsworth|Saltmarsh|Brackenford|Highmoor|Copperfield|Willowdale|Eastmere|Northwick|Amberley|Foxhollow|Redcliff|Silverdale|Marrowby|
Hazelton|Swanholt|Pinecross|Duskwater`);
export const landmarks =
  split(`the old mill|the castle|the harbour|the market|the temple|the north gate|the bridge|the graveyard|the bell tower|
the forest|the lighthouse|the mine|the bathhouse|the library|the river|the stables|the well|the town hall|the ruins|the post office|
the windmill|the garden|the orchard|the observatory|the quarry`);
export const routes = split(`left at the fountain|down the hill and over the bridge|straight on past the bakery|behind the temple|
up the stone stairs|along the river road|two streets east|past the stables and to the right|through the north gate|
right beside the market|at the end of the long lane|across the square|around the corner from the well|
up the hill to the left|three doors past the tailor|under the arch and straight ahead|south along the wall|over the little bridge|
west by the crooked oak|down the alley with the red lamps|next to the blue house|beyond the apple yard`);
export const distances =
  split(`five minutes on foot|half an hour|an hour on foot|half a day|two hundred steps|a short walk|two hours by cart|
a whole day on foot|ten minutes|a quarter of an hour|twenty minutes at an easy pace|three hours in good weather`);
export const prices =
  split(`two copper|three copper|five copper|six copper|eight copper|nine copper|two silver|three silver|four silver|
five silver|six silver|seven silver|eight silver|ten silver|twelve silver|two gold|three gold|four gold|five gold|eleven silver|fifteen silver`);
export const everydayPrices =
  split(`two pounds|three pounds|four pounds|five pounds|six pounds|eight pounds|nine pounds|ten pounds|
twelve pounds|fifteen pounds|twenty pounds`);
export const persons =
  split(`Old Tom|Lady Merel|Captain Voss|Brother Paul|Little Anna|Jory the tailor|Widow Hask|Master Finch|Black Peter|
Sister Ilse|Red Harald|Young Will|Mother Goodwin|Doctor Quill|Tall Emma|Farmer Dunn|Nils the painter|Aunt Berta|Simple Jack|Lord Pell|
Cousin Lotte|Judge Marlow`);
export const rulers =
  split(`Duke Aldric|Queen Ysolde|the old baron|Lady Brannoch|Mayor Pim|King Osmund|the council of nine|Countess Adela|
Prince Rafe|the bishop|Duchess Maren|Governor Tull`);
export const items = split(`ring|cloak|lantern|boat|wagon|horse|compass|lute|purse|locket|boot|hat|knife|key|map|helmet|kettle|
saddle|violin|umbrella|necklace|glove`);
export const players = split(`Robin|Sam|Alex|Kai|Mira|Jonas|Lena|Theo|Iris|Max|Nadia|Felix|Ada|Oscar|Lucy|Ben|Hannah|Leo|Emil|Zoe|
Victor|Ruby|Anton|Pia`);
export const dangers =
  split(`wolves|bandits|a bear|quicksand|a band of deserters|ghosts|wild dogs|a broken bridge|thick fog|an angry bull|
river pirates|falling rocks|a hungry troll|marsh lights`);
export const foods =
  split(`onion soup|mutton stew|apple tart|fresh bread with cheese|fried trout|mushroom pie|bean soup|roast chicken|
honey cake|barley porridge|potato soup|pea soup|smoked ham|plum cake`);
export const drinks = split(`dark ale|warm cider|mint tea|red wine|cold milk|plum brandy|ginger beer|hot cocoa|elderflower juice|
spring water|blackberry wine|apple juice`);
export const hours =
  split(`nearly noon|just past six|a little before ten|half past four|close to midnight|two hours before dawn|just after sunset|
early still|seven by the bell|almost three|a quarter past nine`);
export const festivals =
  split(`the Feast of Lanterns|Harvest Night|the Apple Fair|the Day of Bells|Midsummer|the Goose Parade|the First Snow Dance|
the River Blessing|the Long Table|Mask Week`);
export const rumours =
  split(`the mill wheel turned by itself last night|a stranger in green is asking for maps|the duke has sold his horses|
the bridge will be closed before winter|someone saw lights in the ruins|a dragon bone was dug up near the quarry|
the tax collector never reached the town|two merchants came back from the forest speaking in rhyme|the well tastes of iron since Monday|
a ship with black sails waits behind the cape|the old king is not dead at all|the bells rang backwards at noon|
a fox has been seen wearing a ring|the miller's daughter ran away with a sailor|there is gold under the bridge|
the new captain is really the old captain's twin|wolves came down to the orchard|somebody is buying up all the candles|
the witch on the hill has taken a pupil|a wedding has been called off at the castle|the river will freeze early this year|
no one has seen the bishop for a week|a door has opened in the cliff|the baker's oven speaks in the night`);
export const everydayRumours =
  split(`the corner shop is closing in May|the school is getting a new roof|the bus drivers may go on strike|
someone left a piano in the park|the old cinema will open again|a swan walked into the bank|the market moves to Saturday|
they are planting forty trees along the road|a famous singer bought the red house|the bakery won a prize|
the lift in the station works again|there will be fireworks by the river`);
export const rewards =
  split(`ten silver|two gold|a warm bed for a week|five silver and a hot meal|a good horse|my old sword|twenty silver|
a silver ring|fifteen copper a day|three gold|all the soup you can eat|a barrel of cider`);
export const days = split(`Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday`);
export const beasts = split(`dragon|giant|troll|werewolf|sea serpent|griffin|basilisk|ogre|wild boar|warlock`);
export const tunes = split(
  `fiddle music|old sea songs|quiet piano|drums|church bells|folk songs|the radio in the evening|jazz|birdsong`,
);
export const pets = split(`dog|cat|goose|rabbit|tortoise|parrot|pony|goldfish|hedgehog|mouse`);

/** Moods with reasons a character in that mood may give, each a clause in the first person. */
export const moods: Readonly<Record<string, readonly string[]>> = {
  tired: split(`I slept badly|I've worked since before dawn|the night was too short|my feet have had enough`),
  cheerful: split(`the sun is out and so am I|I had good news this morning|a friend came home today|breakfast was excellent`),
  grumpy: split(`my tooth aches|nobody shut the door this morning|the roof leaks over my bed|everyone wants something today`),
  worried: split(
    `my brother hasn't written in a month|there's trouble on the road|I owe money to a hard man|the harvest looks thin`,
  ),
  curious: split(`strange things happen in {town}|I found a letter with no name|there's a new face in town|I heard an odd story`),
  lonely: split(`my best friend moved away|the evenings are long|few people stop to talk|the house is too quiet`),
  proud: split(`I finished a fine piece of work|my daughter won the race|they praised me at the market|I kept a hard promise`),
  bored: split(
    `nothing has happened since Tuesday|the day drags its feet|I've counted the floorboards twice|no one tells a new story`,
  ),
  hopeful: split(`spring is coming|I planted something new|a letter may come today|things are slowly getting better`),
  nervous: split(
    `someone has been following me|I have to speak before the council|I keep hearing steps|I lost something important`,
  ),
  sad: split(`I lost an old friend|the songs remind me of home|the rain found its way in|I miss my sister`),
  calm: split(`the work is done|the morning was quiet|I have all I need|worry never mended a roof`),
};
