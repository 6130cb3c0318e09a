#!/usr/bin/env bash
# genometools 1.6.2 (Debian's package): what `gt eval` and `gt extractfeat` call sorted is more than the order of rows.
#
# Expected: a GFF3 file that `gt gff3validator` passes, with its ##sequence-region lines at the top and the rows of each
# sequence by position, is read by every command of gt. Seen: `gt eval` refuses it as "not sorted" when the sequences
# stand in the order of the genome (chr2 before chr10) and not in the byte order of their names, and when of two
# features that begin together the longer one, such as a gene before a shorter one inside it, stands first.
# genoformer writes genes.gff3 in gt's order, whatever the order of the input. Fails if this changes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq genometools=1.6.2* libgenometools0=1.6.2* >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
gt() { LD_LIBRARY_PATH=$(dirname "$(find root -name 'libgenometools.so*' | head -1)") root/usr/bin/gt "$@"; }

write() {  # name, then rows "contig start end"
    local name=$1 contigs
    shift
    contigs=$(printf '%s\n' "$@" | cut -d' ' -f1 | uniq)
    {
        echo '##gff-version 3'
        for contig in $contigs; do printf '##sequence-region %s 1 900\n' "$contig"; done
        printf '%s\n' "$@" | while read -r contig start end; do
            printf '%s\tx\tgene\t%s\t%s\t.\t+\t.\t.\n' "$contig" "$start" "$end"
        done
    } >"$name"
}

write by_name.gff3 "chr10 1 90" "chr2 1 90"
write by_number.gff3 "chr2 1 90" "chr10 1 90"
write short_first.gff3 "chr1 1 90" "chr1 1 300"
write long_first.gff3 "chr1 1 300" "chr1 1 90"

for name in by_name by_number short_first long_first; do
    gt gff3validator "$name.gff3" | grep -q 'input is valid GFF3'
    if gt eval "$name.gff3" "$name.gff3" >"$name.out" 2>&1; then outcome=read; else outcome=refused; fi
    printf '%-12s valid, %s\n' "$name" "$outcome"
    case $name in
        by_name | short_first) test "$outcome" = read ;;
        *) test "$outcome" = refused && grep -q 'not sorted' "$name.out" ;;
    esac
done
echo "as described: valid files are refused for the order of sequences, and of features that begin together"
