//! `derive(Crdt)`: a struct of CRDTs is a CRDT, field by field.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Index, Member, Path, Type, parse2};

use crate::attribute;
use crate::diagnostics::Diagnostics;

const KNOWN: [&str; 1] = ["crate"];

/// What the derive understands of a struct.
struct Model {
    krate: TokenStream,
    fields: Vec<(Member, Type)>,
}

/// Expands the derive.
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match parse2(item) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut diagnostics = Diagnostics::default();
    let model = read(&input, &mut diagnostics);
    let errors = diagnostics.into_tokens();
    let implementation = model.map(|model| implementation(&input, &model));
    quote!(#errors #implementation)
}

fn read(input: &DeriveInput, diagnostics: &mut Diagnostics) -> Option<Model> {
    let krate = krate(input, diagnostics);
    let krate = attribute::krate_tokens(krate.as_ref());
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(data) => {
            let message = "`Crdt` is for structs: replicas that are in different variants have no \
                           common state";
            diagnostics.at(data.enum_token, message);
            return None;
        }
        Data::Union(data) => {
            diagnostics.at(data.union_token, "`Crdt` is for structs");
            return None;
        }
    };
    if let Fields::Unit = fields {
        let message = "a CRDT has at least one field: there is nothing to merge in this one";
        diagnostics.at(&input.ident, message);
        return None;
    }
    let members = fields.iter().enumerate().map(|(index, field)| {
        let member = match &field.ident {
            Some(ident) => Member::Named(ident.clone()),
            None => Member::Unnamed(Index::from(index)),
        };
        (member, field.ty.clone())
    });
    Some(Model {
        krate,
        fields: members.collect(),
    })
}

fn krate(input: &DeriveInput, diagnostics: &mut Diagnostics) -> Option<Path> {
    let mut krate = None;
    for entry in attribute::helper_entries(&input.attrs, "crdt", diagnostics) {
        if entry.word == "crate" {
            krate = entry.krate(diagnostics);
        } else {
            entry.unknown(&KNOWN, diagnostics);
        }
    }
    krate
}

fn implementation(input: &DeriveInput, model: &Model) -> TokenStream {
    let krate = &model.krate;
    let ident = &input.ident;
    let mut generics = input.generics.clone();
    for parameter in input.generics.type_params() {
        let parameter = &parameter.ident;
        let clause = generics.make_where_clause();
        clause
            .predicates
            .push(syn::parse_quote!(#parameter: #krate::crdt::Crdt));
    }
    let (parameters, arguments, clause) = generics.split_for_impl();
    let merges = model.fields.iter().map(|(member, ty)| {
        quote_spanned!(ty.span()=>
            <#ty as #krate::crdt::Crdt>::merge(&mut self.#member, &other.#member);
        )
    });
    let takes = model.fields.iter().map(|(member, ty)| {
        quote_spanned!(ty.span()=>
            if let ::core::option::Option::Some(changed) =
                <#ty as #krate::crdt::Crdt>::take_delta(&mut self.#member)
            {
                delta.get_or_insert_with(Self::default).#member = changed;
            }
        )
    });
    let weights = model.fields.iter().map(|(member, ty)| {
        quote_spanned!(ty.span()=>
            weight = weight.saturating_add(<#ty as #krate::crdt::Crdt>::weight(&self.#member));
        )
    });
    quote! {
        #[automatically_derived]
        impl #parameters #krate::crdt::Crdt for #ident #arguments #clause {
            fn merge(&mut self, other: &Self) {
                #(#merges)*
            }

            fn take_delta(&mut self) -> ::core::option::Option<Self> {
                let mut delta: ::core::option::Option<Self> = ::core::option::Option::None;
                #(#takes)*
                delta
            }

            fn weight(&self) -> ::core::primitive::usize {
                let mut weight = 0_usize;
                #(#weights)*
                weight.max(1)
            }
        }
    }
}
