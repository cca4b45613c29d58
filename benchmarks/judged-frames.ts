/** Frames of youtube-faces whose eyes a person judged shut or open by looking at the crop. */
export const judgedEyes = {
  shut: `
  Linda_Sanchez/12 Norah_Jones/40 Marina_Silva/50 Kyle_Shewfelt/21 Angela_Bassett/32 Bianca_Jagger/42
  Martin_Luther_King_III/30 Andrea_Bocelli/11 Edward_Norton/52 Jafar_Umar_Thalib/01 Ali_Abbas/51
  Reese_Witherspoon/41 Laura_Bush/20 Keith_Olbermann/52 Darrell_Issa/31 Agnes_Bruckner/22
  Nicolas_Sarkozy/12 Ricardo_Sanchez/30 Ahmad_Masood/01 Bianca_Jagger/40 Linda_Sanchez/10 Emma_Nicholson/11
  Agnes_Bruckner/21 Maria_Soledad_Alvear_Valenzuela/40 Valerie_Harper/50 James_Hoffa/51 Luis_Fonsi/50
  Lyle_Lovett/52 Andrea_Bocelli/12`,
  open: `
  James_Cunningham/30 Sara_Silverman/21 Rachel_Hunter/30 Jane_Pauley/12 Kate_Winslet/12 Marisa_Tomei/42
  Leuris_Pupo/02 Ricardo_Sanchez/32 Chris_Noth/00 Jake_Gyllenhaal/51 Leszek_Miller/12 Leuris_Pupo/40
  Alexandra_Pelosi/01 Marc_Shaiman/21 Eliza_Dushku/20 Bianca_Jagger/20 Lincoln_Chafee/52 Dai_Bachtiar/00
  Franz_Fischler/52 Ali_Abbas/42 T_Boone_Pickens/22 Keith_Olbermann/02 Kit_Bond/10 Ali_Abbas/31
  Celso_Amorim/52 Sara_Silverman/51 Richard_Paul_Evans/22 Flavia_Pennetta/31 Mark_Foley/41
  Angel_Lockward/41 Clay_Aiken/41 Daniell_Sunjata/42 Elizabeth_Shue/00 Francis_Collins/12 Liu_Ye/12`,
}

/** Frames of youtube-faces whose lips a person judged closed or open: those that closeLips was tuned on, and others, judged before it ran. */
export const judgedLips = [
  {
    set: 'tuned on',
    closed: `
  Abdullah_Gul/32 Agbani_Darego/42 Aidan_Quinn/11 Alejandro_Toledo/11 Alfredo_di_Stefano/20 Ali_Abbas/42
  Alvaro_Silva_Calderon/32 Andy_Roddick/51 Barbara_Bodine/01 Barbara_Boxer/50 Barry_Alvarez/11
  Benjamin_Netanyahu/12 Cameron_Diaz/41 Charles_Bronson/02 Charlotte_Casiraghi/22 Cherie_Blair/20
  Christine_Ebersole/52 Christopher_Amolsch/41 Chuck_Hagel/51 Cindy_Crawford/02 Clark_Randt/52
  Colin_Powell/11 Condoleezza_Rice/22 Connie_Chung/51 Daniel_Radcliffe/50 Eduardo_Duhalde/31
  Elaine_Chao/21 Elizabeth_Shue/41 Ellen_DeGeneres/40 Elton_John/40 Emilio_Botin/21 Emma_Thompson/32
  Emmy_Rossum/51 Fernando_Henrique_Cardoso/31 Frank_Beamer/30 Franz_Fischler/02 Gary_Condit/30
  Gene_Hackman/22 George_Karl/52 Hanan_Ashrawi/21 Itzhak_Perlman/41 JK_Rowling/30 Jack_Welch/42
  Jackie_Sherrill/41 Jaime_Pressly/01 James_Carville/31 James_McPherson/00 Jane_Krakowski/40
  Jane_Rooney/21 Janis_Ruth_Coulter/50 Kate_Winslet/11 Katja_Riemann/01 Kristen_Breitweiser/21
  Laura_Bozzo/12 Leszek_Miller/00 Linda_Sanchez/02 Lisa_Ling/12`,
    open: `
  Andrea_Bocelli/12 Angel_Lockward/52 Barbara_Walters/52 Ben_Kingsley/20 Ben_Stein/12 Biljana_Plavsic/02
  Carlos_Queiroz/10 Celso_Lafer/01 Cindy_Klassen/41 Cristina_Saralegui/31 Dai_Bachtiar/20
  Daniell_Sunjata/41 Elijah_Wood/01 Erin_Hershey_Presley/42 Eunice_Barber/02 Jacqueline_Gold/00
  Keith_Olbermann/10 Kurt_Warner/10 Lee_Baca/41 Linda_Franklin/40 Liu_Ye/51 Loretta_Lynn_Harper/30`,
  },
  {
    set: 'held out',
    closed: `
  Mack_Brown/41 Piotr_Anderszewski/30 Norman_Mineta/52 Rick_Bragg/52 Mario_Kreutzberger/22 Queen_Rania/50
  Marc_Racicot/20 Marissa_Jaret_Winokur/30 Reese_Witherspoon/00 Otto_Reich/31 Peter_Goldmark/10
  Orlando_Bloom/02 Pedro_Solbes/32 Patrick_Leahy/12 Manuel_Pellegrini/12 Nicolas_Eyzaguirre/20
  Mariana_Ohata/22 Raja_Zafar-ul-Haq/11 Mark_Foley/52 Olivia_Newton-John/00 Luc_Montagnier/21 Mark_Leno/21
  Matt_LeBlanc/31 Richard_Paul_Evans/40 Princess_Stephanie/20`,
    open: `
  Richard_Lennon/02 Maggie_Smith/32 Louis_Van_Gaal/00 Lucio_Stanca/32 Marc_Shaiman/32 Pat_Riley/50
  Martin_Sheen/42 Mary_Robinson/40 Richard_Branson/50 Natasha_Lyonne/12 Marisa_Tomei/41 Richard_Lugar/01
  Paul_Reiser/20 Luis_Fonsi/40 Malcolm_Jamal_Warner/20 Queen_Noor/11 Marc_Anthony/51 Marieta_Chrousala/01
  Natalia_Vodonova/00 Penelope_Ann_Miller/21`,
  },
]

/** The names in a list. */
export const framesOf = (list: string): string[] => list.trim().split(/\s+/)
