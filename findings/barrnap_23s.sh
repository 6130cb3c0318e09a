#!/usr/bin/env bash
# barrnap 0.9+dfsg-3 (Debian bookworm) with hmmer 3.3.2: no gene of 23S or 28S rRNA is ever found.
#
# Expected: the kinds of genes that the program lists with their lengths (5S, 16S, 23S of bacteria and archaea; 5S, 5.8S,
# 18S, 28S of eukaryotes) are those that it looks for. Seen: Debian's package lacks the models of 23S and 28S; so the genes
# are missing from the GFF3 without a word, a genome seems to have rRNA operons of 16S and 5S alone, and recall of rRNA
# genes cannot exceed two thirds. The program's table of lengths still has them. Sequences that the package's own models of 16S
# and 5S give are found. genoformer's own profiles have 23S; its benchmark scores barrnap without 23S, too.
# Source: https://packages.debian.org/bookworm/barrnap. Fails if this changes. Needs apt-get, dpkg-deb and perl; nothing is
# installed outside a temporary folder.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q barrnap=0.9+dfsg-3 hmmer=3.3.2+dfsg-1 bedtools=2.30.0+dfsg-3 libdivsufsort3=2.0.1-5 >/dev/null 2>&1
for package in ./*.deb; do dpkg-deb -x "$package" root; done
export PATH=$work/root/usr/bin:$PATH
find root/usr/lib -name '*.so*' -printf '%h\n' | sort -u | paste -sd: >libraries
export LD_LIBRARY_PATH=$(cat libraries)
sed -i "s|/usr/share/barrnap|$work/root/usr/share/barrnap|" root/usr/bin/barrnap

echo "kinds with a length in the program: $(grep -oE '"?[0-9_]+S_rRNA"? *=>' root/usr/bin/barrnap | tr -d '"=> ' | sort -u | tr '\n' ' ')"
for kingdom in bac arc euk; do
    kinds=$(awk '$1 == "NAME" {print $2}' root/usr/share/barrnap/db/$kingdom.hmm | sort | tr '\n' ' ')
    echo "models of $kingdom: $kinds"
done
grep -q 23S_rRNA root/usr/bin/barrnap
! grep -q "^NAME *2[38]S_rRNA" root/usr/share/barrnap/db/*.hmm

# A sequence with a gene of each model of bacteria, as the models themselves make them.
hmmemit -c root/usr/share/barrnap/db/bac.hmm | awk '/^>/ {printf ">%s\n", $1 == ">" ? $2 : substr($1, 2); next} {print toupper($0)}' >kinds.fa
{
    echo ">made"
    grep -v '^>' kinds.fa | tr -d '\n' | tr 'U' 'T'
    echo
} >made.fa
barrnap --quiet --kingdom bac made.fa | grep -v '^#' | cut -f3,9 | tee found.txt
grep -q 16S_rRNA found.txt
grep -q 5S_rRNA found.txt
echo "as described: models of 16S and 5S, none of 23S and 28S"
